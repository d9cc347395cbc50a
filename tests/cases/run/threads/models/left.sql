select id, 'left' as side from top
