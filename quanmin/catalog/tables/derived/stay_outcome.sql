-- Discharge front pages with what risk adjustment asks of them; continuation records and repeated pages are left out by hospitalisation, settlements
-- tell too little. What a stay is compared for is blank where it cannot be told of it. Day cases are those that left alive on the day they came.
WITH said AS (
    SELECT hospitalisation_id,
           list(diagnosis_code ORDER BY diagnosis_order) FILTER (diagnosis_order > 1 AND diagnosis_code IS NOT NULL AND NOT coalesce(is_hospital_acquired, FALSE)) AS others,
           bool_or(coalesce(is_hospital_acquired, FALSE)) FILTER (diagnosis_order > 1) AS has_complication
    FROM diagnosis GROUP BY ALL
), first_cut AS (
    SELECT hospitalisation_id, min(performed_on) AS first_on FROM operation WHERE is_operation GROUP BY ALL
), cut AS (
    SELECT f.hospitalisation_id, bool_or(o.performed_on > f.first_on AND o.performed_on <= f.first_on + 31) AS returned
    FROM first_cut f JOIN operation o ON f.hospitalisation_id = o.hospitalisation_id AND o.is_operation
    GROUP BY ALL
)
SELECT h.hospitalisation_id, h.sender, h.submission, h.line, h.facility_code, h.facility_county, h.discharged_on,
       CASE WHEN h.is_newborn THEN 'newborn' WHEN h.admitted_on = h.discharged_on AND NOT coalesce(h.died, FALSE) THEN 'day_case'
            WHEN h.disposition_code IN ('2', '3') THEN 'transferred' WHEN h.disposition_code IS NULL THEN 'no_disposition'
            WHEN h.age_years IS NULL OR h.age_years NOT BETWEEN 0 AND 120 OR h.sex_code IS NULL THEN 'no_age_or_sex' END AS excluded_code,
       h.age_years, h.sex_code, h.admission_route_code, h.mdc, h.adrg, left(h.principal_diagnosis_code, 3) AS principal_category, coalesce(said.others, []) AS others, h.has_operation,
       h.died, h.disposition_code = '4' AS left_against_advice,
       CASE WHEN NOT h.died AND h.resident_id IS NOT NULL
            THEN CASE WHEN h.days_to_next_admission IS NULL THEN FALSE ELSE NOT h.readmission_planned END END AS readmitted,
       CASE WHEN h.has_operation THEN coalesce(cut.returned, FALSE) END AS returned_to_theatre,
       coalesce(said.has_complication, FALSE) AS has_complication,
       CASE WHEN NOT h.died AND h.stay_days > 0 THEN h.stay_days END AS stay_days
FROM hospitalisation h
LEFT JOIN said ON h.hospitalisation_id = said.hospitalisation_id
LEFT JOIN cut ON h.hospitalisation_id = cut.hospitalisation_id
WHERE h.origin = 'front_page'
