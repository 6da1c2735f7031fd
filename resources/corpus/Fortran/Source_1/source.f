program prefix_sums
  implicit none
  integer :: n, q, i, l, r
  integer(8), allocatable :: s(:)
  integer(8) :: x

  read (*, *) n, q
  allocate (s(0:n))
  s(0) = 0
  do i = 1, n
     read (*, *) x
     s(i) = s(i - 1) + x
  end do
  do i = 1, q
     read (*, *) l, r
     write (*, '(i0)') s(r) - s(l - 1)
  end do
  deallocate (s)
end program prefix_sums
