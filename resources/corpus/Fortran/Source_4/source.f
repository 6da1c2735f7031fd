program knapsack
  implicit none
  integer :: n, capacity, i, w
  integer, allocatable :: weight(:), value(:), best(:)

  read (*, *) n, capacity
  allocate (weight(n), value(n), best(0:capacity))
  read (*, *) weight
  read (*, *) value
  best = 0
  items: do i = 1, n
     if (weight(i) > capacity) cycle items
     do w = capacity, weight(i), -1
        best(w) = max(best(w), best(w - weight(i)) + value(i))
     end do
  end do items
  write (*, '(a,i0,a,i0)') 'value ', best(capacity), ' of at most ', sum(value)
end program knapsack
