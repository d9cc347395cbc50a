select euros from report union all select amount from daily
