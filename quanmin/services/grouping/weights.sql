-- Weights, mean charge, mean days and level of risk of each group in the months $first to $last (method: weights.py).
WITH stays AS (
    SELECT mdc, adrg, drg, ln(CAST(total_charge_cny AS DOUBLE)) AS log_charge, CAST(total_charge_cny AS DOUBLE) AS charge, CAST(stay_days AS DOUBLE) AS days,
           coalesce(died, FALSE) AS died
    FROM hospitalisation WHERE origin = 'front_page' AND drg IS NOT NULL AND total_charge_cny > 0 AND strftime(discharged_on, '%Y-%m') BETWEEN $first AND $last
), fences AS (
    SELECT drg, quantile_cont(log_charge, 0.25) AS low, quantile_cont(log_charge, 0.75) AS high FROM stays GROUP BY drg
), kept AS (
    SELECT s.* FROM stays s JOIN fences f USING (drg) WHERE log_charge BETWEEN low - 1.5 * (high - low) AND high + 1.5 * (high - low)
), own AS (
    SELECT mdc, adrg, drg, count(*) AS cases, avg(charge) AS charge, avg(days) AS days FROM kept GROUP BY ALL
), wider AS (
    SELECT o.*, sum(cases) OVER a AS adrg_cases, avg(charge * cases) OVER a / avg(cases) OVER a AS adrg_charge,
           avg(days * cases) OVER a / avg(cases) OVER a AS adrg_days, avg(charge * cases) OVER m / avg(cases) OVER m AS mdc_charge, avg(days * cases) OVER m / avg(cases) OVER m AS mdc_days
    FROM own o WINDOW a AS (PARTITION BY adrg), m AS (PARTITION BY mdc)
), leaning AS (
    SELECT drg, cases, CASE WHEN cases >= $minimum THEN NULL WHEN adrg_cases >= $minimum THEN adrg ELSE mdc END AS pooled_with, least(cases, $minimum) / $minimum AS own_part,
           charge, days, CASE WHEN adrg_cases >= $minimum THEN adrg_charge ELSE mdc_charge END AS wider_charge,
           CASE WHEN adrg_cases >= $minimum THEN adrg_days ELSE mdc_days END AS wider_days
    FROM wider
), pooled AS (
    SELECT drg, cases, pooled_with, own_part * charge + (1 - own_part) * wider_charge AS charge, own_part * days + (1 - own_part) * wider_days AS days FROM leaning
), deaths AS (
    SELECT drg, CASE WHEN sum(died::INT) > 0 THEN ln(avg(died::INT)) END AS log_mortality FROM stays GROUP BY drg
), risk AS (
    SELECT drg, CASE WHEN log_mortality IS NULL THEN 0 WHEN s.spread IS NULL OR s.spread = 0 THEN 2 WHEN log_mortality < s.middle - s.spread THEN 1
                     WHEN log_mortality < s.middle THEN 2 WHEN log_mortality < s.middle + s.spread THEN 3 ELSE 4 END AS risk_level
    FROM deaths, (SELECT avg(log_mortality) AS middle, stddev_samp(log_mortality) AS spread FROM deaths) s
)
SELECT drg, round(charge / (SELECT sum(charge * cases) / sum(cases) FROM pooled), 6) AS weight,
       round(charge, 2) AS mean_charge_cny, round(days, 4) AS mean_days, risk_level, cases, pooled_with
FROM pooled JOIN risk USING (drg) ORDER BY drg
