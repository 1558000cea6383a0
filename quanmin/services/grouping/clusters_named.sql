-- Each DIP group with all its cases, those with a charge beyond the fences too.
SELECT drg, is_core, diagnosis, procedures, CASE WHEN is_core AND procedures = '' THEN 'none' ELSE min(kind) END AS kind, count(*) AS cases
FROM hospitalisation GROUP BY drg, is_core, diagnosis, procedures ORDER BY drg
