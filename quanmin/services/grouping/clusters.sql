-- The cases of `keyed` in their DIP groups (method: dip.py), as weights.sql reads stays.
CREATE TEMP TABLE hospitalisation AS
WITH core AS (
    SELECT subcategory, procedures FROM keyed WHERE procedures IS NOT NULL GROUP BY ALL HAVING count(*) >= $least
)
SELECT 'front_page' AS origin, chapter AS mdc, category AS adrg, DATE '2000-01-01' AS discharged_on, charge AS total_charge_cny, days AS stay_days, died,
       c.subcategory IS NOT NULL AS is_core, kind, CASE WHEN c.subcategory IS NOT NULL THEN k.subcategory ELSE category END AS diagnosis,
       CASE WHEN c.subcategory IS NOT NULL THEN k.procedures ELSE '' END AS procedures,
       CASE WHEN c.subcategory IS NULL THEN category || ':' || kind WHEN k.procedures = '' THEN k.subcategory ELSE k.subcategory || ':' || k.procedures END AS drg
FROM keyed k LEFT JOIN core c ON k.subcategory = c.subcategory AND k.procedures = c.procedures
