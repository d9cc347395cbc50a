update sluice.steps set
  ended_at = clock_timestamp(), outcome = $2, reason = $3,
  rows_total = nullif($4::bigint, -1), rows_inserted = $5::bigint, rows_updated = $6::bigint,
  rows_deleted = $7::bigint, step_key = $8, error = $9, error_place = $10, sqlstate = $11,
  decision = $12, touched = $13
where step_id = $1::bigint
