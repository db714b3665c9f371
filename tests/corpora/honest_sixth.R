# Writes R's models of the sixth honest set, as R's own help pages save them: R -f tests/corpora/honest_sixth.R --args FOLDER
root <- commandArgs(TRUE)[1]
models <- list(
  lm = lm(mpg ~ wt + hp, mtcars),
  glm = glm(am ~ wt, binomial, mtcars),
  poisson = glm(count ~ spray, poisson, InsectSprays),
  nls = nls(mpg ~ a + b * exp(-wt), mtcars, start = list(a = 10, b = 40)),
  loess = loess(dist ~ speed, cars),
  spline = smooth.spline(cars$speed, cars$dist),
  aov = aov(yield ~ block + N * P, npk),
  arima = arima(LakeHuron, order = c(2, 0, 0)),
  holt = HoltWinters(co2),
  stl = stl(nottem, "periodic"),
  kmeans = kmeans(iris[, 1:4], 3),
  prcomp = prcomp(USArrests, scale. = TRUE),
  princomp = princomp(USArrests),
  hclust = hclust(dist(USArrests)),
  factanal = factanal(mtcars[, 1:6], 2),
  step = step(lm(mpg ~ wt + hp + qsec, mtcars), trace = 0),
  density = density(faithful$eruptions),
  anova = anova(lm(mpg ~ wt, mtcars)),
  test = t.test(extra ~ group, sleep),
  bundle = list(model = lm(dist ~ speed, cars), features = "speed", version = "1.0", trained = as.Date("2024-05-01"))
)
ways <- c("gzip", "xz", "bzip2", "none")
for (i in seq_along(models)) {
  folder <- file.path(root, paste0("r.", names(models)[i]))
  dir.create(folder, recursive = TRUE)
  way <- ways[i %% 4 + 1]
  saveRDS(models[[i]], file.path(folder, "model.rds"), compress = if (way == "none") FALSE else way)
  model <- models[[i]]
  save(model, file = file.path(folder, "model.RData"), version = 2 + i %% 2)
}
