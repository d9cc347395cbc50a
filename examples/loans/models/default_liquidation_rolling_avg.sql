-- ---
-- description: The newest run of default_liquidation_rolling_avg_hist
-- materialized: view
-- ---
select date_of_repayment,
       number_of_loans,
       "default",
       liquidation,
       liquidation_to_default_ratio,
       rolling_avg_7_days,
       created_at
  from default_liquidation_rolling_avg_hist
 where created_at = (select max(created_at) from default_liquidation_rolling_avg_hist)
