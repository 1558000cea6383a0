-- Errors of a part take no more points together than the part is worth (front_page_most).
WITH lost AS (
    SELECT hospitalisation_id, part_code, sum(points) AS points, count(*) AS errors, bool_or(decides_group) AS decides FROM front_page_error GROUP BY ALL
), of_page AS (
    SELECT l.hospitalisation_id, sum(least(l.points, m.most_points)) AS points, sum(l.errors) AS errors, bool_or(l.decides) AS decides
    FROM lost l JOIN front_page_most m ON l.part_code = m.part_code GROUP BY l.hospitalisation_id
)
SELECT r.hospitalisation_id, r.sender, r.submission, r.line, r.facility_code, r.facility_county, s.discharge_department_code AS department_code,
       CAST(r.discharged_at AS DATE) AS discharged_on, coder_pseudonym(r.facility_code, s.coder) AS coder_id, s.coder, 100 - coalesce(p.points, 0) AS score,
       coalesce(p.errors, 0) AS error_count, coalesce(p.decides, FALSE) AS has_group_error, g.drg IS NOT NULL AS is_grouped, g.reason
FROM stay_review r
JOIN stay s ON r.submission = s.submission AND r.line = s.line
LEFT JOIN stay_group g ON r.hospitalisation_id = g.hospitalisation_id
LEFT JOIN of_page p ON r.hospitalisation_id = p.hospitalisation_id
