-- `violated` (submission, line, check_number) is written in front of this from the checks themselves; `front_page_check` says what each costs.
-- A check that several diagnoses or procedures of a page violate counts once. Continuation records are no pages of their own (stay_review).
SELECT r.hospitalisation_id || ' ' || k.check_id AS error_id, r.hospitalisation_id, r.sender, r.submission, r.line, r.facility_code, r.facility_county,
       CAST(r.discharged_at AS DATE) AS discharged_on,
       k.check_id, k.severity, k.part_code, k.points, k.decides_group,
       CASE WHEN NOT k.decides_group THEN 'none' WHEN g.drg IS NULL THEN 'kept_out' ELSE 'may_move' END AS effect
FROM (SELECT DISTINCT submission, line, check_number FROM violated) v
JOIN front_page_check k ON v.check_number = k.check_number
JOIN stay_review r ON v.submission = r.submission AND v.line = r.line
LEFT JOIN stay_group g ON r.hospitalisation_id = g.hospitalisation_id
