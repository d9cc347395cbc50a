select date_of_repayment, liquidation::numeric / nullif("default", 0) as ratio from loans where number_of_loans > 0
