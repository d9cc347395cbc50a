select id, 'right' as side from top
