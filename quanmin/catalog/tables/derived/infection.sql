SELECT md5('infection ' || i.facility_code || ' ' || i.infection_number) AS infection_id, i.sender, i.submission, i.line, i.facility_code, a.facility_county,
       a.facility_level, i.case_number, i.ward, i.department_code, i.onset_on, i.site_code, i.device_code, i.organism_code, i.is_resistant, i.reported_on
FROM hospital_infection i LEFT JOIN facility_attributes a ON i.facility_code = a.facility_code
