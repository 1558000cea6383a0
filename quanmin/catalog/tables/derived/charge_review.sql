-- Each line of charges with the stay or visit it belongs to, and what can only be seen beside other lines: the same test elsewhere within 59 days,
-- how often and how much by now, whether another line's price includes it or what must accompany it is missing. All windows are of days, so that
-- a month comes out the same whatever else is in sight; 59 days before a month's first day still lie in the second month before it.
WITH near AS (
    SELECT c.*, date_trunc('month', c.charged_at) AS month, i.kind, i.price_cny, i.most_per_day, i.validity_days, i.is_recognised, i.part_of, i.sex_code AS item_sex, i.lowest_age,
           i.highest_age, i.antibiotic_class, i.ddds, i.is_high_value, i.needs
    FROM charge_item_near c LEFT JOIN charge_list i ON c.item_code = i.code
), of_stay AS (
    SELECT n.submission, n.line, s.hospitalisation_id AS record, s.resident_id, s.sex_code, s.age_years, s.is_emergency, s.admitted_at, s.discharged_at, s.stay_days, s.has_died,
           s.has_infection, s.has_procedure, s.clean_operated_at, s.has_special_consultation, s.has_culture
    FROM near n JOIN stay_charges_near s ON n.facility_code = s.facility_code AND n.case_number = s.case_number AND n.admission_number = s.admission_number
     AND date_trunc('month', s.discharged_on) BETWEEN n.month - INTERVAL 1 MONTH AND n.month + INTERVAL 2 MONTH
    WHERE n.care_kind_code = 'inpatient'
    QUALIFY row_number() OVER (PARTITION BY n.submission, n.line ORDER BY s.discharged_at, s.submission, s.line) = 1
), of_visit AS (
    SELECT n.submission, n.line, 'V' || v.submission || '-' || v.line AS record, l.resident_id, v.sex_code,
           CAST(age_on(coalesce(v.birth_date, l.birth_date), CAST(v.visited_at AS DATE)) AS BIGINT) AS age_years, v.kind_code = 'emergency' AS is_emergency, v.visited_at AS admitted_at,
           CAST(NULL AS TIMESTAMP) AS discharged_at, CAST(NULL AS BIGINT) AS stay_days, FALSE AS has_died, may_need_antibiotic(v.diagnosis_code) AS has_infection,
           CAST(NULL AS BOOLEAN) AS has_procedure, CAST(NULL AS TIMESTAMP) AS clean_operated_at, CAST(NULL AS BOOLEAN) AS has_special_consultation, CAST(NULL AS BOOLEAN) AS has_culture
    FROM near n JOIN visit_near v ON n.facility_code = v.facility_code AND n.visit_number = v.visit_number AND date_trunc('month', v.visited_at) = n.month
    LEFT JOIN resident_link l ON v.identity_id = l.identity_id
    WHERE n.care_kind_code = 'outpatient'
), placed AS (
    SELECT n.*, r.* EXCLUDE (submission, line) FROM near n JOIN (FROM of_stay UNION ALL FROM of_visit) r ON n.submission = r.submission AND n.line = r.line
), counted AS (
    SELECT submission, line, sum(quantity) OVER by_now AS quantity_to_date, count(*) OVER before AS times_before, count(*) OVER today AS earlier_today_count
    FROM placed
    WINDOW by_now AS (PARTITION BY record, item_code ORDER BY charged_at RANGE BETWEEN INTERVAL 59 DAY PRECEDING AND CURRENT ROW),
           before AS (PARTITION BY record, item_code ORDER BY charged_at RANGE BETWEEN INTERVAL 59 DAY PRECEDING AND INTERVAL 1 SECOND PRECEDING),
           today AS (PARTITION BY record, item_code, CAST(charged_at AS DATE) ORDER BY charged_at RANGE BETWEEN UNBOUNDED PRECEDING AND INTERVAL 1 SECOND PRECEDING)
), tested AS (
    SELECT submission, line, record, resident_id, item_code, facility_code, charged_at FROM placed WHERE is_recognised AND resident_id IS NOT NULL
), earlier AS (
    SELECT t.submission, t.line, date_diff('day', CAST(max(p.charged_at) AS DATE), CAST(any_value(t.charged_at) AS DATE)) AS days_since_other,
           arg_max(p.facility_code, (p.charged_at, p.submission, p.line)) AS other_facility
    FROM tested t JOIN tested p ON t.resident_id = p.resident_id AND t.item_code = p.item_code AND p.record <> t.record
     AND p.charged_at < t.charged_at AND p.charged_at >= t.charged_at - INTERVAL 59 DAY
    GROUP BY t.submission, t.line
), included AS (
    SELECT c.submission, c.line, min(p.item_code) AS package_code, min(p.kind) AS package_kind
    FROM (SELECT submission, line, record, charged_at, unnest(part_of) AS package FROM placed) c
    JOIN placed p ON p.record = c.record AND p.item_code = c.package
     AND CASE WHEN p.kind IN ('bed', 'nursing') THEN p.charged_at BETWEEN c.charged_at - INTERVAL 59 DAY AND c.charged_at + INTERVAL 59 DAY
              ELSE CAST(p.charged_at AS DATE) = CAST(c.charged_at AS DATE) END
    GROUP BY c.submission, c.line
), accompanied AS (
    SELECT c.submission, c.line
    FROM (SELECT submission, line, record, charged_at, unnest(needs) AS needed FROM placed) c
    JOIN placed p ON p.record = c.record AND p.item_code = c.needed AND p.charged_at BETWEEN c.charged_at - INTERVAL 59 DAY AND c.charged_at + INTERVAL 59 DAY
    GROUP BY c.submission, c.line
)
SELECT 'L' || n.submission || '-' || n.line AS charge_id, charge_subject(n.facility_code, n.charge_number) AS subject_key, n.sender, n.submission, n.line, n.charge_number, n.facility_code,
       a.facility_county, a.facility_level, a.is_primary_care, n.department_code, n.care_kind_code, p.resident_id, CAST(n.charged_at AS DATE) AS charged_on, n.item_code, n.kind AS item_kind, n.antibiotic_class,
       n.quantity, n.unit_price_cny, n.amount_cny, n.price_cny AS ceiling_cny, n.repeat_reason_code, p.record IS NOT NULL AS is_record_known, p.is_emergency, p.sex_code, p.age_years, p.stay_days,
       p.has_died, date_diff('day', CAST(n.charged_at AS DATE), CAST(p.admitted_at AS DATE)) AS days_before_admission, date_diff('day', CAST(p.discharged_at AS DATE), CAST(n.charged_at AS DATE)) AS days_after_discharge,
       n.item_sex IS NOT NULL AND p.sex_code <> n.item_sex AS is_other_sex, n.lowest_age IS NOT NULL AND p.age_years < n.lowest_age OR n.highest_age IS NOT NULL AND p.age_years > n.highest_age AS is_other_age,
       coalesce(n.is_recognised, FALSE) AS is_recognised, n.validity_days, e.days_since_other, e.other_facility = n.facility_code AS is_same_facility, t.times_before, t.earlier_today_count, t.quantity_to_date,
       n.most_per_day, i.package_code, i.package_kind, len(n.needs) > 0 AS has_needs, x.submission IS NOT NULL AS is_accompanied, coalesce(n.is_high_value, FALSE) AS is_high_value,
       p.has_infection, p.has_procedure, p.has_special_consultation, p.has_culture, date_diff('hour', p.clean_operated_at, n.charged_at) AS hours_after_clean_operation,
       round(t.quantity_to_date * n.ddds, 6) AS ddds_to_date
FROM near n
LEFT JOIN placed p ON n.submission = p.submission AND n.line = p.line
LEFT JOIN counted t ON n.submission = t.submission AND n.line = t.line
LEFT JOIN earlier e ON n.submission = e.submission AND n.line = e.line
LEFT JOIN included i ON n.submission = i.submission AND n.line = i.line
LEFT JOIN accompanied x ON n.submission = x.submission AND n.line = x.line
LEFT JOIN facility_attributes a ON n.facility_code = a.facility_code
