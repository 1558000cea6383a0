-- One row per settlement with place insured and place of care; home is the place insured, as the fund counts it.
SELECT c.sender, c.submission, c.line, c.claim_number, l.resident_id, left(c.insured_county_code, 6) AS home_county, l.home_township, coalesce(c.sex_code, l.sex_code) AS sex_code,
       CAST(age_on(coalesce(c.birth_date, l.birth_date), c.discharged_on) AS BIGINT) AS age_years, age_band_of(age_on(coalesce(c.birth_date, l.birth_date), c.discharged_on)) AS age_band,
       c.facility_code, coalesce(a.facility_name, c.facility_name) AS facility_name, coalesce(a.facility_county, left(c.facility_county_code, 6)) AS facility_county, a.facility_level,
       a.facility_type_code, a.is_public, coalesce(a.is_primary_care, FALSE) AS is_primary_care,
       CASE WHEN EXISTS (FROM our_county) THEN left(c.facility_county_code, 6) IN (SELECT code FROM our_county) END AS is_in_region, a.community_code, a.is_community_lead,
       c.kind_code, c.insurance_type_code, c.discharged_on, coalesce(c.has_referral, FALSE) AS has_referral, c.total_cny, c.fund_paid_cny, c.self_paid_cny
FROM claim c
LEFT JOIN resident_link l ON c.identity_id = l.identity_id
LEFT JOIN facility_attributes a ON c.facility_code = a.facility_code
