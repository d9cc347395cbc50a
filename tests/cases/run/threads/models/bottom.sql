select count(*) as n from "left" full join "right" using (id)
