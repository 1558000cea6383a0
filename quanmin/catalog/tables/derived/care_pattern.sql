-- What a facility's month looks like as a whole: complications coded, lengths of stay, where its patients come from, how busy its physicians are; held against
-- its own twelve months before and against the other facilities of its level in the same thirteen. z = (observed − expected) / √(n p (1 − p)), p the higher
-- of the two shares (drawn towards the peers' by ten cases): the normal approximation of the upper tail.
WITH rule AS (
    SELECT 10.0 AS prior_cases, 0.02 AS least_share, 2 AS short_days, 0.7 AS light_weight
), seen AS MATERIALIZED (
    SELECT h.*, CAST(date_trunc('month', h.discharged_on) AS DATE) AS month, h.cc_level IN ('CC', 'MCC') AS has_complication,
           h.stay_days <= rule.short_days AND coalesce(h.relative_weight < rule.light_weight, FALSE) AND NOT coalesce(h.has_operation, FALSE) AS is_short_and_light
    FROM hospitalisation_near h, rule WHERE h.origin = 'front_page'
), contact AS MATERIALIZED (
    SELECT v.facility_code, CAST(v.visited_at AS DATE) AS visited_on, CAST(date_trunc('month', v.visited_at) AS DATE) AS month, v.kind_code, v.physician, v.total_charge_cny, l.resident_id
    FROM visit_near v LEFT JOIN resident_link l ON v.identity_id = l.identity_id
), asked AS MATERIALIZED (
    SELECT DISTINCT facility_code, CAST(date_trunc('month', discharged_on) AS DATE) AS month FROM hospitalisation WHERE origin = 'front_page'
    UNION SELECT DISTINCT facility_code, CAST(date_trunc('month', visited_at) AS DATE) FROM visit
), monthly AS MATERIALIZED (
    SELECT facility_code, coalesce(any_value(facility_level), '') AS facility_level, month, count(*) AS stays, count(drg) AS grouped, count(*) FILTER (drg IS NOT NULL AND has_complication) AS complicated,
           count(*) FILTER (drg IS NOT NULL AND cc_level = 'MCC') AS severe, count(*) FILTER (is_short_and_light) AS light, sum(relative_weight ORDER BY relative_weight) AS weight,
           count(relative_weight) AS weighed, sum(total_charge_cny) AS charge, count(*) FILTER (has_operation) AS operated
    FROM seen GROUP BY facility_code, month
), own AS (
    SELECT a.facility_code, a.month, sum(p.grouped) AS grouped, sum(p.complicated) AS complicated, sum(p.severe) AS severe, sum(p.stays) AS stays, sum(p.light) AS light,
           sum(p.weight ORDER BY p.month) / nullif(sum(p.weighed), 0) AS index
    FROM asked a JOIN monthly p ON a.facility_code = p.facility_code AND p.month >= a.month - INTERVAL 12 MONTH AND p.month < a.month GROUP BY ALL
), level_month AS (
    SELECT facility_level, month, sum(grouped) AS grouped, sum(complicated) AS complicated, sum(severe) AS severe, sum(stays) AS stays, sum(light) AS light FROM monthly GROUP BY ALL
), peers AS (
    -- The level's thirteen months less the facility's own.
    SELECT a.facility_code, a.month, any_value(m.facility_level) AS facility_level, sum(p.grouped) - any_value(m.grouped) - coalesce(any_value(o.grouped), 0) AS grouped,
           sum(p.complicated) - any_value(m.complicated) - coalesce(any_value(o.complicated), 0) AS complicated, sum(p.severe) - any_value(m.severe) - coalesce(any_value(o.severe), 0) AS severe,
           sum(p.stays) - any_value(m.stays) - coalesce(any_value(o.stays), 0) AS stays, sum(p.light) - any_value(m.light) - coalesce(any_value(o.light), 0) AS light
    FROM asked a JOIN monthly m ON a.facility_code = m.facility_code AND a.month = m.month LEFT JOIN own o ON a.facility_code = o.facility_code AND a.month = o.month
    JOIN level_month p ON m.facility_level = p.facility_level AND p.month BETWEEN a.month - INTERVAL 12 MONTH AND a.month GROUP BY a.facility_code, a.month
), length AS (
    SELECT facility_code, coalesce(facility_level, '') AS facility_level, month, stay_days, count(*) AS stays FROM seen WHERE stay_days IS NOT NULL GROUP BY ALL
), alike AS (
    SELECT facility_code, month, arg_max(stay_days, (stays, -stay_days)) AS common_days, max(stays) AS stays FROM length GROUP BY ALL
), length_of_level AS (
    SELECT facility_level, month, stay_days, sum(stays) AS stays FROM length GROUP BY ALL
), usual AS (
    SELECT c.facility_code, c.month, coalesce(sum(d.stays), 0) AS stays
    FROM alike c JOIN monthly m ON c.facility_code = m.facility_code AND c.month = m.month
    LEFT JOIN length_of_level d ON d.facility_level = m.facility_level AND d.stay_days = c.common_days AND d.month BETWEEN c.month - INTERVAL 12 MONTH AND c.month
    GROUP BY ALL
), home AS (
    SELECT s.hospitalisation_id, s.facility_code, s.month, s.admitted_on, s.resident_id, l.home_village, s.total_charge_cny
    FROM seen s JOIN stay t ON s.submission = t.submission AND s.line = t.line JOIN resident_link l ON t.identity_id = l.identity_id
), together AS (
    SELECT facility_code, month, max(stays) AS stays
    FROM (SELECT facility_code, month, count(*) OVER (PARTITION BY facility_code, month, home_village ORDER BY admitted_on RANGE BETWEEN CURRENT ROW AND INTERVAL 6 DAY FOLLOWING) AS stays
          FROM home WHERE home_village IS NOT NULL) GROUP BY ALL
), recruited AS (
    SELECT h.facility_code, h.month, count(DISTINCT h.hospitalisation_id) AS stays
    FROM home h JOIN contact c ON h.resident_id = c.resident_id AND h.facility_code = c.facility_code AND c.kind_code = 'checkup' AND h.admitted_on - c.visited_on BETWEEN 0 AND 7
    WHERE h.admitted_on >= h.month - INTERVAL 11 MONTH GROUP BY ALL
), clinic AS (
    SELECT facility_code, month, count(*) AS visits, sum(total_charge_cny) AS charge FROM contact GROUP BY ALL
), physician AS (
    SELECT facility_code, month, max(visits) AS visits FROM (SELECT facility_code, month, physician, visited_on, count(*) AS visits FROM contact WHERE physician IS NOT NULL GROUP BY ALL) GROUP BY ALL
), priced AS (
    SELECT facility_code, month, max(visits) AS visits FROM (SELECT facility_code, month, total_charge_cny, count(*) AS visits FROM contact WHERE total_charge_cny > 0 GROUP BY ALL) GROUP BY ALL
), regular AS (
    SELECT facility_code, month, max(visits) AS visits FROM (SELECT facility_code, month, resident_id, count(*) AS visits FROM contact WHERE resident_id IS NOT NULL GROUP BY ALL) GROUP BY ALL
), figures AS (
    SELECT a.facility_code, a.month, m.stays, m.grouped, m.complicated, m.severe, m.light, m.operated, m.charge, m.weight / nullif(m.weighed, 0) AS index, o.index AS own_index, o.stays AS own_stays,
           o.complicated / nullif(o.grouped, 0) AS own_complicated, p.complicated / nullif(p.grouped, 0) AS peer_complicated, o.severe / nullif(o.grouped, 0) AS own_severe,
           p.severe / nullif(p.grouped, 0) AS peer_severe, p.light / nullif(p.stays, 0) AS peer_light, o.grouped AS own_grouped, c.common_days, c.stays AS alike,
           u.stays / nullif(sum_of_level.stays, 0) AS peer_alike, t.stays AS together, coalesce(r.stays, 0) AS recruited, k.visits, k.charge AS visit_charge, f.visits AS physician_visits,
           q.visits AS same_priced, g.visits AS most_regular
    FROM asked a LEFT JOIN monthly m ON a.facility_code = m.facility_code AND a.month = m.month LEFT JOIN own o ON a.facility_code = o.facility_code AND a.month = o.month
    LEFT JOIN peers p ON a.facility_code = p.facility_code AND a.month = p.month LEFT JOIN alike c ON a.facility_code = c.facility_code AND a.month = c.month
    LEFT JOIN usual u ON a.facility_code = u.facility_code AND a.month = u.month
    LEFT JOIN (SELECT a.month, l.facility_level, sum(l.stays) AS stays FROM (SELECT DISTINCT month FROM asked) a JOIN level_month l ON l.month BETWEEN a.month - INTERVAL 12 MONTH AND a.month GROUP BY ALL)
        sum_of_level ON a.month = sum_of_level.month AND m.facility_level = sum_of_level.facility_level
    LEFT JOIN together t ON a.facility_code = t.facility_code AND a.month = t.month LEFT JOIN recruited r ON a.facility_code = r.facility_code AND a.month = r.month
    LEFT JOIN clinic k ON a.facility_code = k.facility_code AND a.month = k.month LEFT JOIN physician f ON a.facility_code = f.facility_code AND a.month = f.month
    LEFT JOIN priced q ON a.facility_code = q.facility_code AND a.month = q.month LEFT JOIN regular g ON a.facility_code = g.facility_code AND a.month = g.month
), expected AS (
    SELECT f.*, greatest(rule.least_share, coalesce(peer_complicated, 0), (coalesce(own_complicated * own_grouped, 0) + rule.prior_cases * coalesce(peer_complicated, 0)) / (coalesce(own_grouped, 0) + rule.prior_cases)) AS p_complicated,
           greatest(rule.least_share, coalesce(peer_severe, 0), (coalesce(own_severe * own_grouped, 0) + rule.prior_cases * coalesce(peer_severe, 0)) / (coalesce(own_grouped, 0) + rule.prior_cases)) AS p_severe,
           greatest(rule.least_share, coalesce(peer_alike, 0)) AS p_alike, greatest(rule.least_share, coalesce(peer_light, 0)) AS p_light
    FROM figures f, rule
)
SELECT 'F' || e.facility_code || ' ' || strftime(e.month, '%Y-%m') AS care_pattern_id, md5('month ' || e.facility_code || ' ' || strftime(e.month, '%Y-%m')) AS subject_key, e.month, e.facility_code,
       coalesce(a.facility_county, named.facility_county) AS facility_county, a.facility_level, a.facility_type_code, a.is_public, a.is_primary_care, coalesce(e.stays, 0) AS stay_count,
       coalesce(e.grouped, 0) AS grouped_count, e.charge AS stay_charge_cny, e.index AS case_mix_index, e.own_index AS own_case_mix_index, coalesce(e.own_stays, 0) AS own_stay_count,
       e.complicated / nullif(e.grouped, 0) AS complication_share, e.own_complicated AS own_complication_share, e.peer_complicated AS peer_complication_share,
       round((e.complicated - e.grouped * e.p_complicated) / nullif(sqrt(nullif(e.grouped, 0) * e.p_complicated * (1 - e.p_complicated)), 0), 4) AS complication_z,
       e.severe / nullif(e.grouped, 0) AS severe_complication_share, e.peer_severe AS peer_severe_complication_share,
       round((e.severe - e.grouped * e.p_severe) / nullif(sqrt(nullif(e.grouped, 0) * e.p_severe * (1 - e.p_severe)), 0), 4) AS severe_complication_z,
       e.common_days AS most_common_days, e.alike / nullif(e.stays, 0) AS same_length_share, e.peer_alike AS peer_same_length_share,
       round((e.alike - e.stays * e.p_alike) / nullif(sqrt(nullif(e.stays, 0) * e.p_alike * (1 - e.p_alike)), 0), 4) AS same_length_z,
       e.light / nullif(e.stays, 0) AS short_light_share, e.peer_light AS peer_short_light_share,
       round((e.light - e.stays * e.p_light) / nullif(sqrt(nullif(e.stays, 0) * e.p_light * (1 - e.p_light)), 0), 4) AS short_light_z, e.operated / nullif(e.stays, 0) AS operated_share,
       coalesce(e.together, 0) AS village_cluster_count, e.together / nullif(e.stays, 0) AS village_cluster_share, e.recruited AS after_checkup_count, e.recruited / nullif(e.stays, 0) AS after_checkup_share,
       coalesce(e.visits, 0) AS visit_count, e.visit_charge AS visit_charge_cny, coalesce(e.physician_visits, 0) AS busiest_physician_day_count, e.same_priced / nullif(e.visits, 0) AS same_charge_share,
       coalesce(e.same_priced, 0) AS same_charge_count, coalesce(e.most_regular, 0) AS most_regular_count
FROM expected e LEFT JOIN facility_attributes a ON e.facility_code = a.facility_code
LEFT JOIN (SELECT facility_code, month, max(facility_county) AS facility_county FROM seen GROUP BY ALL) named ON e.facility_code = named.facility_code AND e.month = named.month
WHERE e.facility_code IS NOT NULL
