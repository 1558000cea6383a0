SELECT v.vaccination_number, v.sender, v.submission, v.line, l.resident_id, v.vaccine_code, v.dose_number, v.lot_number, v.given_on, v.facility_code, a.facility_county
FROM vaccination v LEFT JOIN resident_link l ON v.identity_id = l.identity_id LEFT JOIN facility_attributes a ON v.facility_code = a.facility_code
