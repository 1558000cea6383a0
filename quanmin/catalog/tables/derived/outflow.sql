-- Stays outside the home county, each told by its kind. From records only; the parameters are the row called rule (in words: services/flow/rule.toml).
-- Months count as 12 × year + month. A stay discharged in month M is judged by months M − 24 to M + 2 and nothing else: built by the month or at once,
-- the same. What is reckoned once for a quarter uses the months that every month of the quarter sees. Floating sums are rounded before they are compared.
WITH rule AS (
    SELECT 2.0 AS severe_charge_ratio, 0.2 AS price_group_primary_share, 3.0 AS half_life_months, 0.5 AS treated_share,
           3.0 AS prior_cases, 1.5 AS county_prior_cases, 2.0 AS region_prior_cases, 0.5 AS cost_class_width
), seen AS MATERIALIZED (
    SELECT *, left(principal_diagnosis_code, 5) AS diagnosis_group, facility_county = home_county AS is_home, year(discharged_on) * 12 + month(discharged_on) AS month,
           facility_level || CASE WHEN coalesce(is_in_region, TRUE) THEN '' ELSE ' beyond' END AS tier,
           CASE WHEN total_charge_cny > 0 THEN ln(CAST(total_charge_cny AS DOUBLE)) END AS log_charge
    FROM hospitalisation_near WHERE home_county IS NOT NULL AND facility_county IS NOT NULL
), away AS MATERIALIZED (
    SELECT *, (month - 1) // 3 AS quarter FROM seen WHERE NOT is_home AND hospitalisation_id IN (SELECT hospitalisation_id FROM hospitalisation)
), asked AS MATERIALIZED (
    SELECT DISTINCT month, quarter FROM away
), reach AS (
    SELECT q.quarter, m.month, m.month BETWEEN q.quarter * 3 - 21 AND q.quarter * 3 + 3 AS is_in_common
    FROM (SELECT DISTINCT quarter FROM asked) q JOIN (SELECT DISTINCT month FROM seen) m ON m.month BETWEEN q.quarter * 3 - 23 AND q.quarter * 3 + 5
), held AS MATERIALIZED (
    SELECT r.quarter, r.is_in_common, s.month, s.home_county, s.facility_code, s.icd_chapter, s.diagnosis_group, s.tier, s.is_home, s.log_charge
    FROM seen s JOIN reach r ON s.month = r.month WHERE s.diagnosis_group IS NOT NULL
), group_charge AS (
    SELECT quarter, diagnosis_group, median(log_charge) AS middle, avg(CASE WHEN starts_with(tier, 'primary') THEN 1.0 ELSE 0.0 END) AS primary_share
    FROM held WHERE is_in_common GROUP BY ALL
), price AS (
    -- How dear a tier is: its median charge against all tiers', in the groups that health centres treat as well (so that tiers see like cases).
    SELECT t.quarter, t.tier, round(sum(t.cases * (t.middle - g.middle)) / sum(t.cases), 6) AS log_price
    FROM (SELECT quarter, diagnosis_group, tier, median(log_charge) AS middle, count(log_charge) AS cases FROM held WHERE is_in_common GROUP BY ALL) t
    JOIN group_charge g ON t.quarter = g.quarter AND t.diagnosis_group = g.diagnosis_group, rule
    WHERE g.primary_share >= rule.price_group_primary_share AND t.cases > 0 GROUP BY ALL
), norm AS MATERIALIZED (
    SELECT h.quarter, h.diagnosis_group, round(median(h.log_charge - coalesce(p.log_price, 0)), 6) AS log_norm
    FROM held h LEFT JOIN price p ON h.quarter = p.quarter AND h.tier = p.tier WHERE h.is_in_common GROUP BY ALL
), judged_held AS MATERIALIZED (
    SELECT h.*, coalesce(h.log_charge - coalesce(p.log_price, 0) - n.log_norm >= ln(rule.severe_charge_ratio), FALSE) AS is_severe
    FROM held h LEFT JOIN price p ON h.quarter = p.quarter AND h.tier = p.tier LEFT JOIN norm n ON h.quarter = n.quarter AND h.diagnosis_group = n.diagnosis_group, rule
), evidence AS MATERIALIZED (
    -- "At this severity": every case speaks for the ordinary, only the severe for the severe.
    SELECT quarter, month, home_county, icd_chapter, diagnosis_group, b.is_severe, count(*) FILTER (is_home) AS kept, count(*) AS cases
    FROM judged_held h JOIN (VALUES (FALSE), (TRUE)) b(is_severe) ON h.is_severe OR NOT b.is_severe GROUP BY ALL
), lately AS MATERIALIZED (
    SELECT a.month AS asked, a.quarter, e.home_county, e.icd_chapter, e.diagnosis_group, e.is_severe, sum(e.kept) AS all_kept, sum(e.cases) AS all_cases,
           sum(e.kept * pow(0.5, abs(e.month - a.month) / rule.half_life_months)) AS kept, sum(e.cases * pow(0.5, abs(e.month - a.month) / rule.half_life_months)) AS cases
    FROM asked a JOIN evidence e ON a.quarter = e.quarter AND e.month BETWEEN a.month - 24 AND a.month + 2, rule GROUP BY ALL
), regional AS (
    SELECT l.*, floor((n.log_norm + CASE WHEN l.is_severe THEN ln(rule.severe_charge_ratio) ELSE 0 END) / rule.cost_class_width) AS cost_class
    FROM (SELECT asked, quarter, diagnosis_group, is_severe, sum(all_kept) AS kept, sum(all_cases) AS cases FROM lately GROUP BY ALL) l
    LEFT JOIN norm n ON l.quarter = n.quarter AND l.diagnosis_group = n.diagnosis_group, rule
), expected AS MATERIALIZED (
    SELECT *, (sum(kept) OVER like_it + 0.5) / (sum(cases) OVER like_it + 1) AS class_share FROM regional WINDOW like_it AS (PARTITION BY asked, is_severe, cost_class)
), county AS (
    SELECT l.asked, l.home_county, l.icd_chapter, l.is_severe, sum(l.kept) AS kept, sum(l.cases * x.kept / x.cases) AS expected
    FROM lately l JOIN expected x ON l.asked = x.asked AND l.diagnosis_group = x.diagnosis_group AND l.is_severe = x.is_severe GROUP BY ALL
), treated AS (
    -- The share at home, the stay in question left out, drawn towards what the region and the county's record in the chapter lead one to expect.
    SELECT l.asked, l.home_county, l.diagnosis_group, l.is_severe,
           round((l.kept + rule.prior_cases * least(1, (x.kept + rule.region_prior_cases * x.class_share) / (x.cases - 1 + rule.region_prior_cases)
                 * (c.kept + rule.county_prior_cases) / (c.expected + rule.county_prior_cases))) / (l.cases - 1 + rule.prior_cases), 4) AS home_share
    FROM lately l JOIN expected x ON l.asked = x.asked AND l.diagnosis_group = x.diagnosis_group AND l.is_severe = x.is_severe
    JOIN county c ON l.asked = c.asked AND l.home_county = c.home_county AND l.icd_chapter IS NOT DISTINCT FROM c.icd_chapter AND l.is_severe = c.is_severe, rule
    WHERE l.all_cases > l.all_kept
), sent AS (
    SELECT DISTINCT a.hospitalisation_id
    FROM away a JOIN seen p ON a.resident_id = p.resident_id AND p.facility_county = a.home_county AND a.admitted_on - p.discharged_on BETWEEN 0 AND 1 AND p.month BETWEEN a.month - 24 AND a.month
), town AS (
    SELECT region_code, arg_max(longitude, (submission, line)) AS longitude, arg_max(latitude, (submission, line)) AS latitude
    FROM region WHERE level = 'township' AND longitude IS NOT NULL AND latitude IS NOT NULL GROUP BY region_code
), house AS (
    SELECT facility_code, arg_max(longitude, (submission, line)) AS longitude, arg_max(latitude, (submission, line)) AS latitude
    FROM facility WHERE longitude IS NOT NULL AND latitude IS NOT NULL GROUP BY facility_code
), road AS MATERIALIZED (
    SELECT t.region_code AS township, h.facility_code,
           round(12742.0176 * asin(sqrt(pow(sin(radians(h.latitude - t.latitude) / 2), 2) + cos(radians(t.latitude)) * cos(radians(h.latitude)) * pow(sin(radians(h.longitude - t.longitude) / 2), 2))), 2) AS km
    FROM (SELECT * FROM town SEMI JOIN away ON region_code = home_township) t, (SELECT * FROM house SEMI JOIN seen USING (facility_code)) h
), at_home AS (
    SELECT DISTINCT quarter, home_county, diagnosis_group, facility_code, b.is_severe
    FROM judged_held h JOIN (VALUES (FALSE), (TRUE)) b(is_severe) ON h.is_severe OR NOT b.is_severe WHERE is_home AND is_in_common
), banded AS MATERIALIZED (
    SELECT a.*, round(exp(a.log_charge - coalesce(p.log_price, 0) - n.log_norm), 4) AS charge_ratio,
           coalesce(a.log_charge - coalesce(p.log_price, 0) - n.log_norm >= ln(rule.severe_charge_ratio), FALSE) AS is_severe
    FROM away a LEFT JOIN price p ON a.quarter = p.quarter AND a.tier = p.tier LEFT JOIN norm n ON a.quarter = n.quarter AND a.diagnosis_group = n.diagnosis_group, rule
), nearest AS (
    SELECT b.quarter, b.home_township, b.diagnosis_group, b.is_severe, b.home_county, min(r.km) AS km
    FROM (SELECT DISTINCT quarter, home_county, home_township, diagnosis_group, is_severe FROM banded) b
    JOIN at_home h ON b.quarter = h.quarter AND b.home_county = h.home_county AND b.diagnosis_group = h.diagnosis_group AND b.is_severe = h.is_severe
    JOIN road r ON b.home_township = r.township AND h.facility_code = r.facility_code GROUP BY ALL
)
SELECT b.hospitalisation_id, b.sender, b.submission, b.line, b.resident_id, b.home_county, b.home_township, b.sex_code, b.age_band, b.is_insured, b.payment_method_code,
       b.facility_code, b.facility_name, b.facility_county, b.facility_level, CASE b.is_in_region WHEN TRUE THEN 'city' WHEN FALSE THEN 'beyond' END AS destination_code,
       b.admitted_on, b.discharged_on, b.stay_days, b.principal_diagnosis_code, b.icd_chapter, b.diagnosis_group, b.mdc, b.drg, b.relative_weight, b.has_referral, b.total_charge_cny, b.fund_paid_cny, b.charge_ratio,
       CASE WHEN b.diagnosis_group IS NULL THEN NULL WHEN b.is_severe THEN 'severe' ELSE 'ordinary' END AS severity_code, t.home_share, s.hospitalisation_id IS NOT NULL AS is_sent_on,
       r.km AS distance_km, n.km AS nearest_home_km,
       CASE WHEN b.diagnosis_group IS NULL THEN NULL WHEN s.hospitalisation_id IS NOT NULL OR t.home_share < rule.treated_share THEN 'referred'
            WHEN r.km < n.km THEN 'nearer' ELSE 'avoidable' END AS kind_code
FROM banded b LEFT JOIN treated t ON b.month = t.asked AND b.home_county = t.home_county AND b.diagnosis_group = t.diagnosis_group AND b.is_severe = t.is_severe
LEFT JOIN sent s ON b.hospitalisation_id = s.hospitalisation_id LEFT JOIN road r ON b.home_township = r.township AND b.facility_code = r.facility_code
LEFT JOIN nearest n ON b.quarter = n.quarter AND b.home_county = n.home_county AND b.home_township = n.home_township AND b.diagnosis_group = n.diagnosis_group AND b.is_severe = n.is_severe, rule
