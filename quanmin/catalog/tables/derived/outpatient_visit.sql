-- One row per visit with facility attributes and the resident's home.
SELECT v.sender, v.submission, v.line, v.visit_number, l.resident_id, l.home_county, l.home_township, v.sex_code,
       CAST(age_on(coalesce(v.birth_date, l.birth_date), CAST(v.visited_at AS DATE)) AS BIGINT) AS age_years,
       age_band_of(age_on(coalesce(v.birth_date, l.birth_date), CAST(v.visited_at AS DATE))) AS age_band,
       v.facility_code, a.facility_name, a.facility_county, a.facility_level, a.facility_type_code, a.is_public, a.is_primary_care, a.is_in_region, a.community_code, a.is_community_lead,
       CAST(v.visited_at AS DATE) AS visited_on, v.kind_code, v.department_code, v.diagnosis_code, icd_chapter_of(v.diagnosis_code) AS icd_chapter,
       v.is_appointment, v.is_tcm, v.is_medicated, v.is_essential_medicine, v.wait_minutes, v.referred_from_code IS NOT NULL AS has_referral,
       v.total_charge_cny, v.drug_charge_cny, v.fund_paid_cny
FROM visit v
LEFT JOIN resident_link l ON v.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON v.facility_code = a.facility_code
