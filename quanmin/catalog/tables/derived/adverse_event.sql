SELECT e.report_number, e.sender, e.submission, e.line, l.resident_id, e.vaccine_code, e.lot_number, e.reaction_code, e.class_code, e.is_serious, e.vaccinated_on, e.onset_on,
       e.reported_on, e.facility_code, a.facility_county
FROM adverse_event_report e LEFT JOIN resident_link l ON e.identity_id = l.identity_id LEFT JOIN facility_attributes a ON e.facility_code = a.facility_code
