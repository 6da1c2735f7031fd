! Shortest ways between all pairs of towns (Floyd and Warshall).
program all_pairs
  implicit none
  integer, parameter :: far = 1000000000
  integer :: n, m, i, j, k, a, b, w
  integer, allocatable :: d(:, :)

  read (*, *) n, m
  allocate (d(n, n))
  d = far
  do i = 1, n
     d(i, i) = 0
  end do
  do i = 1, m
     read (*, *) a, b, w
     d(a, b) = min(d(a, b), w)
     d(b, a) = min(d(b, a), w)
  end do
  do k = 1, n
     do j = 1, n
        do i = 1, n
           if (d(i, k) + d(k, j) < d(i, j)) d(i, j) = d(i, k) + d(k, j)
        end do
     end do
  end do
  do i = 1, n
     do j = 1, n
        if (d(i, j) >= far) then
           write (*, '(a)', advance='no') ' -'
        else
           write (*, '(1x,i0)', advance='no') d(i, j)
        end if
     end do
     write (*, *)
  end do
end program all_pairs
