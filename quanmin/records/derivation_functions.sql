-- Functions that derived tables share.
CREATE OR REPLACE MACRO age_band_of(age) AS
    CASE WHEN age IS NULL OR age < 0 THEN NULL WHEN age = 0 THEN '0' WHEN age <= 4 THEN '1-4' WHEN age >= 85 THEN '85+'
         ELSE CAST(age // 5 * 5 AS VARCHAR) || '-' || CAST(age // 5 * 5 + 4 AS VARCHAR) END;
-- ICD-10 chapters by the first three characters (WHO ICD-10).
CREATE OR REPLACE MACRO icd_chapter_of(code) AS
    CASE left(code, 1)
        WHEN 'A' THEN '01' WHEN 'B' THEN '01' WHEN 'C' THEN '02' WHEN 'D' THEN CASE WHEN substr(code, 2, 2) < '50' THEN '02' ELSE '03' END
        WHEN 'E' THEN '04' WHEN 'F' THEN '05' WHEN 'G' THEN '06' WHEN 'H' THEN CASE WHEN substr(code, 2, 2) < '60' THEN '07' ELSE '08' END
        WHEN 'I' THEN '09' WHEN 'J' THEN '10' WHEN 'K' THEN '11' WHEN 'L' THEN '12' WHEN 'M' THEN '13' WHEN 'N' THEN '14' WHEN 'O' THEN '15'
        WHEN 'P' THEN '16' WHEN 'Q' THEN '17' WHEN 'R' THEN '18' WHEN 'S' THEN '19' WHEN 'T' THEN '19' WHEN 'V' THEN '20' WHEN 'W' THEN '20'
        WHEN 'X' THEN '20' WHEN 'Y' THEN '20' WHEN 'Z' THEN '21' WHEN 'U' THEN '22' END;
-- What a finding of supervision is about: the same word when the record is sent again, and no person's number.
CREATE OR REPLACE MACRO stay_subject(facility, case_number, admission_number, discharged_at) AS
    md5('stay ' || facility || ' ' || case_number || ' ' || coalesce(CAST(admission_number AS VARCHAR), '') || ' ' || coalesce(CAST(CAST(discharged_at AS DATE) AS VARCHAR), ''));
CREATE OR REPLACE MACRO visit_subject(facility, visit_number) AS md5('visit ' || facility || ' ' || visit_number);
CREATE OR REPLACE MACRO charge_subject(facility, charge_number) AS md5('charge ' || facility || ' ' || charge_number);
-- Diagnoses (ICD-10) for which an antibiotic may be given: bacterial infections and what is treated as such; our own list, wide on purpose.
CREATE OR REPLACE MACRO may_need_antibiotic(code) AS
    regexp_matches(code, '^(A0[0-9]|A2[0-8]|A3[0-9]|A4[0-9]|A5[0-9]|B9[56]|H6[0-7]|H70|I3[03]|J0[1-3]|J1[3-8]|J2[0-2]|J3[269]|J4[0-4]|J47|J69|J8[56]|K04|K05|K35|K57|K6[15]|K8[0-3]|L0[0-8]|M00|M86|N1[0-2]|N3[049]|N4[15]|N7[0-7]|O23|O8[56]|P23|P36|R65|S[0-9]1|T14|T8[1-57])');
-- The same coder of an institution under the same word, without the name; who knows all names of an institution can find it again, so it stays within it.
CREATE OR REPLACE MACRO coder_pseudonym(facility, coder) AS left(md5('coder ' || facility || ' ' || coder), 8);
