-- ---
-- materialized: ephemeral
-- ---
select o.id, orders.amount, o.at
from orders join orders o using (id) where o.state = 'paid'
