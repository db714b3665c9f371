# Makes src/shipworthy/modelfile/rdata/functions.txt: what the packages that come with R define, by package.
# Run with R: Rscript scripts/make_r_table.R > src/shipworthy/modelfile/rdata/functions.txt
cat("# Made by scripts/make_r_table.R from", R.version.string, "- not edited by hand.\n")
cat("# package, tab, the names it defines (of utils: those it offers)\n")
for (package in c("base", "stats", "utils", "methods", "graphics", "grDevices", "datasets", "splines", "stats4")) {
  # functions of a package use what it does not offer to others, and honest models hold such functions
  names <- if (package == "utils") getNamespaceExports(package) else ls(getNamespace(package), all.names = TRUE)
  names <- sort(names[!grepl("[[:space:]]|^\\.__|^[.]_", names)], method = "radix")
  cat(package, paste(names, collapse = " "), sep = "\t")
  cat("\n")
}
