select 1 / (n - 1) as oops from bottom
