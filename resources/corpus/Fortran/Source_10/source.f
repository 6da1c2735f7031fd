program edit_distance
  implicit none
  character(len=1000) :: a, b
  integer, allocatable :: d(:, :)
  integer :: i, j, n, m, cost

  read (*, '(a)') a
  read (*, '(a)') b
  n = len_trim(a)
  m = len_trim(b)
  allocate (d(0:n, 0:m))
  do i = 0, n
     d(i, 0) = i
  end do
  do j = 0, m
     d(0, j) = j
  end do
  do j = 1, m
     do i = 1, n
        cost = merge(0, 1, a(i:i) == b(j:j))
        d(i, j) = min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + cost)
     end do
  end do
  print '(3a,i0)', trim(a), ' / ', trim(b) // ': ', d(n, m)
end program edit_distance
