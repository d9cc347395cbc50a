-- ---
-- materialized: incremental
-- checks:
--   - unique: [amount]
--   - row_count: {min: 8}
-- ---
select day, amount from orders
