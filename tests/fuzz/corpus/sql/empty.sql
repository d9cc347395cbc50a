-- nothing
;;