-- The dialect's own functions. Check digit: GB 11643-1999, ISO 7064 MOD 11-2.
CREATE OR REPLACE MACRO identity_number_valid(x) AS
    CASE WHEN x IS NULL THEN NULL
         WHEN NOT regexp_full_match(x, '[1-9][0-9]{16}[0-9Xx]') THEN FALSE
         WHEN try_strptime(substr(x, 7, 8), '%Y%m%d') IS NULL THEN FALSE
         ELSE upper(substr(x, 18, 1)) = substr('10X98765432', 1 + CAST((
              (ascii(substr(x, 1, 1)) - 48) * 7 + (ascii(substr(x, 2, 1)) - 48) * 9 + (ascii(substr(x, 3, 1)) - 48) * 10
            + (ascii(substr(x, 4, 1)) - 48) * 5 + (ascii(substr(x, 5, 1)) - 48) * 8 + (ascii(substr(x, 6, 1)) - 48) * 4
            + (ascii(substr(x, 7, 1)) - 48) * 2 + (ascii(substr(x, 8, 1)) - 48) * 1 + (ascii(substr(x, 9, 1)) - 48) * 6
            + (ascii(substr(x, 10, 1)) - 48) * 3 + (ascii(substr(x, 11, 1)) - 48) * 7 + (ascii(substr(x, 12, 1)) - 48) * 9
            + (ascii(substr(x, 13, 1)) - 48) * 10 + (ascii(substr(x, 14, 1)) - 48) * 5 + (ascii(substr(x, 15, 1)) - 48) * 8
            + (ascii(substr(x, 16, 1)) - 48) * 4 + (ascii(substr(x, 17, 1)) - 48) * 2) % 11 AS INTEGER), 1) END;
CREATE OR REPLACE MACRO identity_birth_date(x) AS
    CASE WHEN regexp_full_match(x, '[0-9]{17}[0-9Xx]') THEN CAST(try_strptime(substr(x, 7, 8), '%Y%m%d') AS DATE) END;
CREATE OR REPLACE MACRO identity_sex(x) AS
    CASE WHEN regexp_full_match(x, '[0-9]{17}[0-9Xx]') THEN CASE WHEN ascii(substr(x, 17, 1)) % 2 = 1 THEN '1' ELSE '2' END END;
CREATE OR REPLACE MACRO age_on(born, day) AS
    CASE WHEN born IS NULL OR day IS NULL THEN NULL
         ELSE CAST(year(day) - year(born) - CASE WHEN month(day) * 100 + dayofmonth(day) < month(born) * 100 + dayofmonth(born) THEN 1 ELSE 0 END AS INTEGER) END;
