-- One row per card that stands; of two cards of one resident and disease within 90 days the earlier counts.
WITH card AS (
    SELECT c.*, l.resident_id, coalesce(CASE WHEN regexp_matches(c.home_region_code, '^([0-9]{6}|[0-9]{9}|[0-9]{12})$') THEN left(c.home_region_code, 6) END, l.home_county) AS home_county,
           coalesce(CASE WHEN regexp_matches(c.home_region_code, '^([0-9]{9}|[0-9]{12})$') THEN left(c.home_region_code, 9) END, l.home_township) AS home_township,
           coalesce(c.birth_date, l.birth_date) AS born_on, coalesce(c.sex_code, l.sex_code) AS sex
    FROM case_report_near c LEFT JOIN resident_link l ON c.identity_id = l.identity_id
    WHERE c.state_code <> 'deleted'
)
SELECT c.card_number, c.sender, c.submission, c.line, c.resident_id, c.name, c.phone, c.disease_code, d.trigger_code, d.law_class, c.classification_code,
       c.patient_group_code, c.workplace, c.sex AS sex_code, CAST(age_on(c.born_on, CAST(c.diagnosed_at AS DATE)) AS BIGINT) AS age_years,
       age_band_of(age_on(c.born_on, CAST(c.diagnosed_at AS DATE))) AS age_band, c.home_county, c.home_township, c.facility_code, a.facility_county, a.facility_level,
       c.onset_on, CAST(c.diagnosed_at AS DATE) AS diagnosed_on, CAST(c.reported_at AS DATE) AS reported_on,
       date_diff('minute', c.diagnosed_at, c.reported_at) / 60.0 AS report_hours, d.report_hours AS due_hours,
       date_diff('minute', c.diagnosed_at, c.reported_at) > 60 * d.report_hours AS is_late,
       date_diff('day', c.onset_on, CAST(c.reported_at AS DATE)) AS onset_to_report_days,
       c.original_disease_code IS NOT NULL AND c.original_disease_code <> c.disease_code AS is_revised,
       coalesce(EXISTS (SELECT 1 FROM card o WHERE o.resident_id = c.resident_id AND o.disease_code = c.disease_code
                        AND (o.reported_at, o.card_number) < (c.reported_at, c.card_number) AND o.reported_at >= c.reported_at - INTERVAL 90 DAY), FALSE) AS is_repeat,
       c.died_on IS NOT NULL AS died
FROM card c
LEFT JOIN disease_list d ON c.disease_code = d.code
LEFT JOIN facility_attributes a ON c.facility_code = a.facility_code
