-- Monthly workbook rows with facility attributes.
SELECT m.sender, m.submission, m.line, a.* EXCLUDE (facility_code, township_code, village_code), m.* EXCLUDE (sender, submission, line)
FROM facility_month m LEFT JOIN facility_attributes a ON m.facility_code = a.facility_code
