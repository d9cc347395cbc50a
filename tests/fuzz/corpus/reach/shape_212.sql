select e.at, r.value from events e join readings r on r.at between e.at - interval '2 hours' and e.at
