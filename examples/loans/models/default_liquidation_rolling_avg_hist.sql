-- ---
-- description: Liquidation to default ratio per day, and its mean over the 7 days before
-- materialized: history
-- schedule: "* * * * *"
-- keep: 7 days
-- checks:
--   - not_null: [date_of_repayment, number_of_loans, default, liquidation]
--   - unique: [date_of_repayment]
--   - row_count: {min: 1}
--   - expression: '"default" >= 0 and liquidation >= 0'
--   - name: ratio_unless_no_defaults
--     expression: '(liquidation_to_default_ratio is null) = ("default" = 0)'
-- ---

-- A day without defaults has no ratio and does not enter an average. The frame counts calendar days, so that a
-- day missing from loans shortens the average instead of reaching further back; the row's own day is not in it.
with daily as (
    select date_of_repayment,
           number_of_loans,
           "default",
           liquidation,
           liquidation::numeric / nullif("default", 0) as liquidation_to_default_ratio
      from loans
)
select date_of_repayment,
       number_of_loans,
       "default",
       liquidation,
       liquidation_to_default_ratio,
       avg(liquidation_to_default_ratio) over (
           order by date_of_repayment
           range between interval '7 days' preceding and interval '1 day' preceding
       ) as rolling_avg_7_days
  from daily
