# Writes the R files of the second held-out set: R -f tests/corpora/unseen2_write.R --args FOLDER. Nothing is loaded.
root <- commandArgs(TRUE)[1]
place <- function(name) {
  path <- file.path(root, "r", name)
  dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE)
  path
}
touch <- quote(base::system("touch /tmp/MARK"))
act <- function(...) { base::system("touch /tmp/MARK"); invisible(1) }
environment(act) <- globalenv()
as <- function(value, name, ...) saveRDS(value, place(paste0(name, "/m.rds")), ...)
rdata <- function(name, list, file = "m.RData", ...) {
  save(list = names(list), envir = list2env(list, parent = emptyenv()), file = place(paste0(name, "/", file)), ...)
}
frame <- data.frame(y = c(1, 2, 3, 4), x = c(2, 3, 5, 9))
model <- lm(y ~ x, frame)

lazy <- new.env(parent = emptyenv())
delayedAssign("weights", system("touch /tmp/MARK"), eval.env = globalenv(), assign.env = lazy)
as(lazy, "promise")
as(lazy, "promise-ascii", ascii = TRUE)
as(list(a = 1, b = structure(list(), e = lazy)), "promise-attribute", compress = "xz")
active <- new.env(parent = emptyenv())
makeActiveBinding("weights", act, active)
as(active, "active-binding")
changed <- model; attr(changed$terms, "predvars") <- bquote(list(y, {.(touch); x}))
as(changed, "terms-predvars")
changed <- model; changed$call <- bquote(lm(formula = y ~ x, data = {.(touch); frame}))
as(changed, "call-update")
changed <- glm(y ~ x, data = frame); changed$family$linkinv <- act
as(changed, "family-function")
changed <- model; environment(attr(changed$terms, ".Environment") <- local({ x <- 1; `+` <- act; environment() }))
changed <- loess(y ~ x, data.frame(x = 1:20 + 0, y = (1:20)^2)); changed$call$data <- touch
changed$terms <- structure(changed$terms, predvars = bquote(list(y, {.(touch); x})))
as(changed, "loess-terms")
as(structure(list(predict = act, data = frame), class = "nls"), "nls-predict")
shown <- function(x) x + 1
body(shown) <- bquote({.(touch); x + 1}); attr(shown, "srcref") <- attr(function(x) x + 1, "srcref")
as(shown, "function-srcref")
as(compiler::cmpfun(act), "function-bytecode")
as(expression(system("touch /tmp/MARK")), "expression-eval")
as(structure(list(formula = as.formula("y ~ I({system('touch /tmp/MARK'); x})", env = globalenv()), data = frame), class = "spec"), "formula-call")
rdata("first", list(.First = act), ".RData")
rdata("mask-predict", list(model = model, predict = act))
rdata("mask-print", list(model = model, print.lm = act))
rdata("mask-paren", list(model = model, `(` = act), compress = "bzip2")
rdata("last", list(model = model, .Last = act), ".RData", compress = FALSE)
rdata("promise-data", as.list(c(model = model)))
save("weights", envir = lazy, file = place("promise-data/m.RData"), eval.promises = FALSE)
rdata("ascii-data", list(model = model, `[[.lm` = act), ascii = TRUE)
setClass("Net", representation(weights = "numeric"))
net <- new("Net", weights = 1)
attr(net, "class") <- structure("Net", package = "payload")
as(net, "s4-package")
as(structure(list2env(list(weights = 1, predict = act), parent = emptyenv()), class = c("Net", "R6")), "object-environment")
as(structure(1, class = "boom", print = act), "attribute-function")
environment(act) <- asNamespace("stats")
as(act, "function-namespace")
inner <- serialize(lazy, NULL)
as(list(kind = "booster", raw = inner), "raw-inside")
con <- gzfile(place("little-endian/m.rds"), "wb"); serialize(lazy, con, xdr = FALSE); close(con)
con <- gzcon(file(place("twice/m.rds"), "wb")); serialize(model, con); serialize(lazy, con); close(con)
dump("act", place("dump/m.R"), envir = list2env(list(act = act)))
tools:::makeLazyLoadDB(list2env(list(model = lazy)), place("lazy-database/m"))
con <- gzfile(place("compact-bomb/m.rds"), "wb")
wide <- 1:2000000000
serialize(wide, con); close(con)
value <- list(); for (i in 1:200000) value <- list(value)
options(expressions = 500000)
try(saveRDS(value, place("deep-lists/m.rds")))

# Honest models that look odd.
root <- file.path(root, "harmless2")
place <- function(name) {
  path <- file.path(root, name)
  dir.create(dirname(path), recursive = TRUE, showWarnings = FALSE)
  path
}
library(splines)
cars$kind <- factor(rep(c("exec", "system"), 25))
as(lm(dist ~ poly(speed, 2) + log(speed) + I(speed^2):kind, cars), "r-predvars", compress = "xz")
as(glm(kind ~ ns(speed, 3), binomial("probit"), cars), "r-glm-spline", ascii = TRUE)
as(nls(dist ~ a * speed^b, cars, start = list(a = 1, b = 1)), "r-nls")
as(loess(dist ~ speed, cars), "r-loess", version = 2)
as(arima(lh, order = c(1, 0, 0)), "r-arima", compress = "bzip2")
as(smooth.spline(cars$speed, cars$dist), "r-smooth")
as(hclust(dist(USArrests)), "r-hclust")
as(list(as.POSIXlt("2024-01-01"), ts(1:24, frequency = 12), as.name("system"), 1e-300, NA_character_, quote(x), table(cars$kind)), "r-kinds")
save(cars, list = c("cars"), file = place("r-data/.RData"))
