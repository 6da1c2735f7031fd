program sieve
  implicit none
  integer :: limit, i, j, twins
  logical, allocatable :: prime(:)

  read (*, *) limit
  allocate (prime(limit))
  prime = .true.
  prime(1) = .false.
  i = 2
  do while (i * i <= limit)
     if (prime(i)) then
        do j = i * i, limit, i
           prime(j) = .false.
        end do
     end if
     i = i + 1
  end do
  twins = 0
  do i = 3, limit - 2
     if (prime(i) .and. prime(i + 2)) twins = twins + 1
  end do
  print '(a,i0)', 'primes: ', count(prime)
  print '(a,i0)', 'twins: ', twins
end program sieve
