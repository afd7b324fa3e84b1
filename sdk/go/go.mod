module theater.local/theater

go 1.24
