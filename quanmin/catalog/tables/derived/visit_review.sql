-- A visit beside the resident's other visits of that day and the two before, and beside the stays in which the resident then was (visits of one
-- stay are counted within the month, stays as far as they end within two months: built by the month or at once, the same).
WITH near AS (
    SELECT v.submission, v.line, v.facility_code, CAST(v.visited_at AS DATE) AS visited_on, v.is_medicated, v.kind_code, left(v.diagnosis_code, 3) AS disease,
           v.total_charge_cny, v.drug_charge_cny, l.resident_id
    FROM visit_near v JOIN resident_link l ON v.identity_id = l.identity_id
), crowded AS (
    -- Few visits have another of the same resident within two days: only those are held against each other.
    SELECT * FROM near WINDOW by_day AS (PARTITION BY resident_id ORDER BY visited_on)
    QUALIFY visited_on - lag(visited_on) OVER by_day <= 2 OR lead(visited_on) OVER by_day - visited_on <= 2
), around AS (
    SELECT s.submission, s.line, count(DISTINCT p.facility_code) FILTER (p.visited_on = s.visited_on) AS same_day_facility_count,
           count(*) FILTER (p.visited_on = s.visited_on AND p.facility_code = s.facility_code) AS same_day_visit_count,
           sum(p.total_charge_cny) FILTER (p.visited_on = s.visited_on) AS same_day_charge_cny,
           count(DISTINCT p.facility_code) FILTER (p.is_medicated AND p.disease = s.disease) AS medicated_facility_count,
           count(DISTINCT p.visited_on) FILTER (p.is_medicated AND p.disease = s.disease) AS medicated_day_count,
           sum(p.drug_charge_cny) FILTER (p.is_medicated AND p.disease = s.disease) AS same_disease_drug_cny
    FROM crowded s JOIN crowded p ON s.resident_id = p.resident_id AND p.visited_on BETWEEN s.visited_on - 2 AND s.visited_on
    GROUP BY s.submission, s.line
), within AS (
    SELECT v.submission, v.line, h.hospitalisation_id, h.facility_code AS stay_facility_code, h.stay_days,
           count(*) OVER of_month AS visits_in_stay_count, sum(v.total_charge_cny) OVER of_month AS visits_in_stay_cny
    FROM near v JOIN hospitalisation_near h ON v.resident_id = h.resident_id AND v.visited_on > h.admitted_on AND v.visited_on < h.discharged_on
        AND date_trunc('month', h.discharged_on) BETWEEN date_trunc('month', v.visited_on) AND date_trunc('month', v.visited_on) + INTERVAL 2 MONTH
    WINDOW of_month AS (PARTITION BY h.hospitalisation_id, date_trunc('month', v.visited_on))
), inside AS (
    SELECT submission, line, arg_max(stay_facility_code, (visits_in_stay_count, hospitalisation_id)) AS stay_facility_code, max(visits_in_stay_count) AS visits_in_stay_count,
           arg_max(visits_in_stay_cny, (visits_in_stay_count, hospitalisation_id)) AS visits_in_stay_cny
    FROM within GROUP BY ALL
)
SELECT 'V' || v.submission || '-' || v.line AS visit_key, v.sender, v.submission, v.line, visit_subject(v.facility_code, v.visit_number) AS subject_key, v.facility_code,
       a.facility_county, a.facility_level, a.is_public, a.is_primary_care, v.department_code, CAST(v.visited_at AS DATE) AS visited_on, hour(v.visited_at) AS visited_hour, v.kind_code,
       coalesce(l.sex_code, v.sex_code) AS sex_code, CAST(age_on(coalesce(v.birth_date, l.birth_date), CAST(v.visited_at AS DATE)) AS BIGINT) AS age_years, v.diagnosis_code,
       v.is_medicated, v.payment_method_code, v.referred_from_code IS NOT NULL AS has_referral, v.total_charge_cny, v.drug_charge_cny, v.fund_paid_cny,
       coalesce(r.same_day_facility_count, 1) AS same_day_facility_count, coalesce(r.same_day_visit_count, 1) AS same_day_visit_count,
       CASE WHEN r.line IS NOT NULL THEN r.same_day_charge_cny WHEN l.resident_id IS NOT NULL THEN v.total_charge_cny END AS same_day_charge_cny,
       CASE WHEN r.line IS NOT NULL THEN r.medicated_facility_count ELSE CAST(l.resident_id IS NOT NULL AND coalesce(v.is_medicated, FALSE) AND v.diagnosis_code IS NOT NULL AS BIGINT)
       END AS medicated_facility_count,
       CASE WHEN r.line IS NOT NULL THEN r.medicated_day_count ELSE CAST(l.resident_id IS NOT NULL AND coalesce(v.is_medicated, FALSE) AND v.diagnosis_code IS NOT NULL AS BIGINT)
       END AS medicated_day_count,
       CASE WHEN r.line IS NOT NULL THEN r.same_disease_drug_cny WHEN l.resident_id IS NOT NULL AND v.is_medicated AND v.diagnosis_code IS NOT NULL THEN v.drug_charge_cny END AS same_disease_drug_cny,
       i.stay_facility_code IS NOT NULL AS is_in_hospital, i.stay_facility_code, i.stay_facility_code = v.facility_code AS is_same_facility_stay,
       coalesce(i.visits_in_stay_count, 0) AS visits_in_stay_count, i.visits_in_stay_cny, date_diff('day', l.died_on, CAST(v.visited_at AS DATE)) AS days_after_registered_death,
       l.resident_id IS NOT NULL AS is_resident_known
FROM visit v
LEFT JOIN resident_link l ON v.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON v.facility_code = a.facility_code
LEFT JOIN around r ON v.submission = r.submission AND v.line = r.line
LEFT JOIN inside i ON v.submission = i.submission AND v.line = i.line
