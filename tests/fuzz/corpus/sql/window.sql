select sum(x) filter (where y) over (partition by z order by t range between '7 days' preceding and current row), -7, case when a then b end::int from loans -- c
