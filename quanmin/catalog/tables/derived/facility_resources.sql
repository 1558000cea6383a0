-- Yearly workbook rows with facility attributes.
SELECT y.sender, y.submission, y.line, a.* EXCLUDE (facility_code), y.* EXCLUDE (sender, submission, line)
FROM facility_year y LEFT JOIN facility_attributes a ON y.facility_code = a.facility_code
