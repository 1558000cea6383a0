SELECT w.sender, w.submission, w.line, w.facility_code, a.facility_county, a.facility_level, w.ward, w.department_code, w.month, w.patient_days, w.ventilator_days,
       w.catheter_days, w.line_days
FROM ward_device_month w LEFT JOIN facility_attributes a ON w.facility_code = a.facility_code
