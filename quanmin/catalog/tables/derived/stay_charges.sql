-- What the lines of a stay add up to: lines charged in the month of discharge, the two before or the one after, by the price list (charge_list).
-- Peers: the other stays of the same adjacent group discharged in this month and the two before, anywhere.
WITH near AS (
    SELECT s.*, date_trunc('month', s.discharged_at) AS month FROM stay_near s WHERE NOT coalesce(s.is_continuation, FALSE)
), summed AS (
    SELECT s.submission, s.line, count(*) AS line_count, sum(c.amount_cny) AS charged_cny,
           coalesce(sum(c.amount_cny) FILTER (i.kind = 'drug'), 0) AS drug_cny, coalesce(sum(c.amount_cny) FILTER (i.kind = 'material'), 0) AS material_cny,
           coalesce(sum(c.amount_cny) FILTER (i.is_high_value), 0) AS high_value_cny,
           count(DISTINCT c.item_code) FILTER (i.antibiotic_class IS NOT NULL) AS antibiotic_count, round(coalesce(sum(c.quantity * i.ddds), 0), 6) AS antibiotic_ddds,
           coalesce(bool_or(i.role = 'special_consultation'), FALSE) AS has_special_consultation, coalesce(bool_or(i.role = 'culture'), FALSE) AS has_culture,
           coalesce(sum(c.quantity) FILTER (i.kind = 'nursing' AND i.most_per_day = 1), 0) AS nursing_days,
           coalesce(sum(c.amount_cny) FILTER (i.kind = 'nursing' AND i.most_per_day = 1), 0) AS nursing_cny
    FROM near s JOIN charge_item_near c
      ON c.care_kind_code = 'inpatient' AND c.facility_code = s.facility_code AND c.case_number = s.case_number AND c.admission_number = s.admission_number
     AND date_trunc('month', c.charged_at) BETWEEN s.month - INTERVAL 2 MONTH AND s.month + INTERVAL 1 MONTH
    LEFT JOIN charge_list i ON c.item_code = i.code
    GROUP BY s.submission, s.line
), grouped AS (
    SELECT x.*, s.month, g.adrg FROM summed x JOIN near s USING (submission, line)
    LEFT JOIN stay_group_near g ON g.hospitalisation_id = 'S' || x.submission || '-' || x.line
), monthly AS (
    SELECT DISTINCT adrg, month FROM grouped WHERE adrg IS NOT NULL
), peers AS (
    -- The median: a few stays with too much must not move what they are held against.
    SELECT m.adrg, m.month, count(*) AS stays, median(CAST(p.high_value_cny AS DOUBLE) / nullif(p.charged_cny, 0)) AS high_value_share
    FROM monthly m JOIN grouped p ON m.adrg = p.adrg AND p.month BETWEEN m.month - INTERVAL 2 MONTH AND m.month GROUP BY ALL
), ill AS (
    SELECT submission, line, bool_or(may_need_antibiotic(diagnosis_code)) AS has_infection FROM stay_diagnosis GROUP BY ALL
), operated AS (
    SELECT submission, line, min(performed_at) FILTER (starts_with(incision_healing_code, 'Ⅰ')) AS clean_operated_at,
           coalesce(bool_or(regexp_matches(incision_healing_code, '^[ⅡⅢ]')), FALSE) AS has_other_incision
    FROM stay_procedure GROUP BY ALL
)
SELECT 'S' || s.submission || '-' || s.line AS hospitalisation_id, s.sender, s.submission, s.line, stay_subject(s.facility_code, s.case_number, s.admission_number, s.discharged_at) AS subject_key,
       s.facility_code, coalesce(a.facility_county, s.facility_county_code) AS facility_county, a.facility_level, s.discharge_department_code AS department_code, s.case_number, s.admission_number,
       l.resident_id, s.sex_code, s.age_years, s.admitted_at, s.discharged_at, CAST(s.discharged_at AS DATE) AS discharged_on,
       date_diff('day', CAST(s.admitted_at AS DATE), CAST(s.discharged_at AS DATE)) AS stay_days, s.disposition_code = '5' AS has_died, s.admission_route_code = '1' AS is_emergency,
       g.adrg, coalesce(ill.has_infection, FALSE) OR coalesce(may_need_antibiotic(s.principal_diagnosis_code), FALSE) AS has_infection, o.submission IS NOT NULL AS has_procedure,
       CASE WHEN NOT o.has_other_incision THEN o.clean_operated_at END AS clean_operated_at,
       g.line_count, g.charged_cny, s.total_charge_cny, g.drug_cny, g.material_cny, g.high_value_cny, CAST(g.high_value_cny AS DOUBLE) / nullif(g.charged_cny, 0) AS high_value_share,
       p.stays - 1 AS peer_count, p.high_value_share AS peer_high_value_share,
       g.antibiotic_count, g.antibiotic_ddds, g.has_special_consultation, g.has_culture, g.nursing_days, g.nursing_cny
FROM near s
JOIN grouped g ON s.submission = g.submission AND s.line = g.line
LEFT JOIN peers p ON g.adrg = p.adrg AND g.month = p.month
LEFT JOIN ill ON s.submission = ill.submission AND s.line = ill.line
LEFT JOIN operated o ON s.submission = o.submission AND s.line = o.line
LEFT JOIN resident_link l ON s.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON s.facility_code = a.facility_code
