# Rscript detection.R COUNTS.csv FIRST OUT.csv: farringtonFlexible (Noufaily's settings) and earsC of R's surveillance over the columns of a file, timed
suppressPackageStartupMessages(library(surveillance))
arguments <- commandArgs(TRUE)
counts <- as.matrix(read.csv(arguments[1], check.names = FALSE))
range <- as.integer(arguments[2]):nrow(counts)
series <- sts(observed = counts, start = c(2018, 1), frequency = 52)
control <- list(range = range, b = 5, w = 3, reweight = TRUE, weightsThreshold = 2.58, verbose = FALSE, glmWarnings = FALSE, alpha = 0.005, trend = TRUE,
                pThresholdTrend = 1, limit54 = c(5, 4), powertrans = "2/3", fitFun = "algo.farrington.fitGLM.flexible", populationOffset = FALSE, noPeriods = 10,
                pastWeeksNotIncluded = 26, thresholdMethod = "nbPlugin")
spent <- system.time(found <- suppressWarnings(farringtonFlexible(series, control)))
ears <- system.time(earsC(series, list(range = range, method = "C2", baseline = 7, alpha = 0.001)))
write.csv(data.frame(upper = as.vector(upperbound(found)), alarm = as.vector(alarms(found))), arguments[3], row.names = FALSE)
cat(as.character(packageVersion("surveillance")), sum(spent[1:2]), sum(ears[1:2]), "\n")
