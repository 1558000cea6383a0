-- Local discharges, and insurance settlements of stays that no local facility reported (care outside the region, or a facility that
-- stopped sending). A settlement is the same stay as a front page when facility and resident (or record number) agree and both dates
-- lie within a day. Two front pages of one resident, facility, admission and discharge day are one stay (the newer stands). Continuation records belong to a stay already counted.
WITH front AS (
    SELECT s.*, l.resident_id, l.home_county AS linked_county, l.home_township AS linked_township, l.is_insured AS linked_insured,
           CAST(s.admitted_at AS DATE) AS admitted_on, CAST(s.discharged_at AS DATE) AS discharged_on,
           'S' || s.submission || '-' || s.line AS hospitalisation_id
    FROM stay_near s LEFT JOIN resident_link l ON s.identity_id = l.identity_id
    WHERE NOT coalesce(s.is_continuation, FALSE)
    QUALIFY row_number() OVER (PARTITION BY coalesce(resident_id, hospitalisation_id), s.facility_code, CAST(s.admitted_at AS DATE), CAST(s.discharged_at AS DATE)
                               ORDER BY s.submission DESC, s.line) = 1
), settled AS (
    SELECT c.*, l.resident_id, l.home_county AS linked_county, l.home_township AS linked_township, l.birth_date AS linked_birth, l.sex_code AS linked_sex,
           'C' || c.submission || '-' || c.line AS hospitalisation_id
    FROM claim_near c LEFT JOIN resident_link l ON c.identity_id = l.identity_id
    WHERE c.kind_code = 'inpatient'
), pairs AS (
    SELECT f.hospitalisation_id AS stay_id, c.hospitalisation_id AS claim_id, c.fund_paid_cny, c.has_referral
    FROM front f JOIN settled c ON f.facility_code = c.facility_code AND f.resident_id = c.resident_id
    WHERE abs(date_diff('day', f.discharged_on, c.discharged_on)) <= 1 AND abs(date_diff('day', f.admitted_on, coalesce(c.admitted_on, f.admitted_on))) <= 1
    UNION
    SELECT f.hospitalisation_id, c.hospitalisation_id, c.fund_paid_cny, c.has_referral
    FROM front f JOIN settled c ON f.facility_code = c.facility_code AND f.case_number = c.case_number
    WHERE abs(date_diff('day', f.discharged_on, c.discharged_on)) <= 1
), paid AS (
    SELECT stay_id, sum(fund_paid_cny) AS fund_paid_cny, bool_or(has_referral) AS has_referral FROM pairs GROUP BY stay_id
), cut AS (
    SELECT facility_code, case_number, admission_number, discharged_at,
           count(*) FILTER (operation_level_code IN ('1', '2', '3', '4')) > 0 AS has_operation,
           count(*) FILTER (operation_level_code IN ('1', '2', '3', '4') AND regexp_matches(procedure_name, '镜|经皮|介入')) > 0 AS has_minimal_invasive_operation,
           max(TRY_CAST(operation_level_code AS INTEGER)) AS highest_operation_level,
           arg_min(procedure_code, procedure_order) AS principal_procedure_code
    FROM stay_procedure_near GROUP BY ALL
), united AS (
    SELECT f.hospitalisation_id, 'front_page' AS origin, f.sender, f.submission, f.line, f.resident_id,
           coalesce(f.linked_county, left(f.home_region_code, 6)) AS home_county, coalesce(f.linked_township, CASE WHEN length(f.home_region_code) >= 9 THEN left(f.home_region_code, 9) END) AS home_township,
           f.sex_code, f.age_years, f.facility_code, f.facility_name AS named, f.facility_county_code, NULL AS stated_level, f.admitted_on, f.discharged_on, f.stay_days,
           f.admission_route_code, f.discharge_department_code AS department_code, f.disposition_code, f.disposition_code = '5' AS died,
           f.principal_diagnosis_code, cut.principal_procedure_code, coalesce(cut.has_operation, FALSE) AS has_operation,
           coalesce(cut.has_minimal_invasive_operation, FALSE) AS has_minimal_invasive_operation, cut.highest_operation_level, f.payment_method_code,
           coalesce(f.linked_insured, f.payment_method_code IN ('1', '2', '3')) AS is_insured, coalesce(paid.has_referral, FALSE) AS has_referral,
           coalesce(f.age_days <= 28, FALSE) AS is_newborn, f.total_charge_cny,
           coalesce(f.western_drug_cny, 0) + coalesce(f.patent_tcm_drug_cny, 0) + coalesce(f.herbal_drug_cny, 0) AS drug_charge_cny,
           coalesce(f.examination_material_cny, 0) + coalesce(f.treatment_material_cny, 0) + coalesce(f.operation_material_cny, 0) AS material_charge_cny,
           paid.fund_paid_cny, f.self_paid_cny, f.readmission_plan_code = '2' AS readmission_planned
    FROM front f
    LEFT JOIN cut ON f.facility_code = cut.facility_code AND f.case_number = cut.case_number AND f.admission_number = cut.admission_number AND f.discharged_at = cut.discharged_at
    LEFT JOIN paid ON f.hospitalisation_id = paid.stay_id
    UNION ALL
    SELECT c.hospitalisation_id, 'claim', c.sender, c.submission, c.line, c.resident_id, coalesce(c.linked_county, left(c.insured_county_code, 6)), c.linked_township,
           coalesce(c.sex_code, c.linked_sex), CAST(age_on(coalesce(c.birth_date, c.linked_birth), coalesce(c.admitted_on, c.discharged_on)) AS BIGINT),
           c.facility_code, c.facility_name, left(c.facility_county_code, 6),
           CASE WHEN c.facility_level_code IN ('1', '2', '3', '4', '13') THEN 'tertiary' WHEN c.facility_level_code IN ('5', '6', '7', '12') THEN 'secondary'
                WHEN c.facility_level_code IN ('8', '9', '10', '11') THEN 'primary' ELSE 'other' END,
           c.admitted_on, c.discharged_on,
           greatest(1, date_diff('day', c.admitted_on, c.discharged_on)), NULL, NULL, c.disposition_code, c.disposition_code = '5', c.diagnosis_code, c.procedure_code,
           NULL, NULL, NULL, NULL, TRUE, coalesce(c.has_referral, FALSE), coalesce(date_diff('day', c.birth_date, c.admitted_on) <= 28, FALSE), c.total_cny, NULL, NULL,
           c.fund_paid_cny, c.self_paid_cny, NULL
    FROM settled c ANTI JOIN pairs ON c.hospitalisation_id = pairs.claim_id
), placed AS (
    SELECT *, (admitted_on, discharged_on, hospitalisation_id) AS place FROM united
), followed AS (
    -- The resident's next admission among what is discharged from the month before to two months after, whatever else is in sight (of settlements
    -- not the outermost days, whose front page may lie a day beyond): built by the month or at once, the same.
    SELECT u.* EXCLUDE (place), date_diff('day', u.discharged_on, n.next_admitted_on) AS days_to_next
    FROM placed u LEFT JOIN (
        SELECT s.hospitalisation_id, arg_min(p.admitted_on, p.place) AS next_admitted_on
        FROM placed s JOIN placed p ON s.resident_id = p.resident_id AND p.place > s.place
            AND p.discharged_on >= date_trunc('month', s.discharged_on) - INTERVAL 1 MONTH + CASE p.origin WHEN 'claim' THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END
            AND p.discharged_on < date_trunc('month', s.discharged_on) + INTERVAL 3 MONTH - CASE p.origin WHEN 'claim' THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END
        GROUP BY s.hospitalisation_id
    ) n ON u.hospitalisation_id = n.hospitalisation_id
)
SELECT u.hospitalisation_id, u.origin, u.sender, u.submission, u.line, u.resident_id,
       CASE WHEN NOT EXISTS (FROM our_county) OR u.home_county IN (SELECT code FROM our_county) THEN u.home_county END AS home_county,
       u.home_township, u.sex_code, u.age_years, age_band_of(u.age_years) AS age_band,
       u.facility_code, coalesce(a.facility_name, u.named) AS facility_name, coalesce(a.facility_county, u.facility_county_code) AS facility_county,
       coalesce(a.facility_level, u.stated_level) AS facility_level, a.facility_type_code, a.is_public, a.is_primary_care,
       coalesce(a.is_in_region, CASE WHEN EXISTS (FROM our_county) THEN u.facility_county_code IN (SELECT code FROM our_county) END) AS is_in_region,
       a.community_code, a.is_community_lead, NULL AS county_community,
       u.admitted_on, u.discharged_on, u.stay_days, u.admission_route_code, u.department_code, u.disposition_code, u.died,
       u.principal_diagnosis_code, icd_chapter_of(u.principal_diagnosis_code) AS icd_chapter, u.principal_procedure_code, u.has_operation,
       u.has_minimal_invasive_operation, u.highest_operation_level, g.mdc, g.adrg, g.drg, g.cc_level, w.weight AS relative_weight, w.risk_level AS drg_risk_level,
       CAST(u.total_charge_cny AS DOUBLE) / w.mean_charge_cny AS charge_to_norm, u.stay_days / w.mean_days AS days_to_norm, u.payment_method_code, u.is_insured,
       u.has_referral, u.is_newborn, u.total_charge_cny, u.drug_charge_cny, u.material_charge_cny, u.fund_paid_cny, u.self_paid_cny,
       CASE WHEN u.resident_id IS NOT NULL AND u.days_to_next BETWEEN 0 AND 31 THEN u.days_to_next END AS days_to_next_admission, u.readmission_planned
FROM followed u LEFT JOIN facility_attributes a ON u.facility_code = a.facility_code
LEFT JOIN stay_group_near g ON u.hospitalisation_id = g.hospitalisation_id
LEFT JOIN drg_weight w ON g.drg = w.drg AND u.discharged_on >= w.begins_on AND u.discharged_on < w.ends_before
