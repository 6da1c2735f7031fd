program increasing
  implicit none
  integer :: n, i, lo, hi, mid, length
  integer, allocatable :: a(:), tails(:)

  read (*, *) n
  allocate (a(n), tails(n))
  read (*, *) a
  length = 0
  do i = 1, n
     lo = 1
     hi = length + 1
     do while (lo < hi)
        mid = (lo + hi) / 2
        if (tails(mid) < a(i)) then
           lo = mid + 1
        else
           hi = mid
        end if
     end do
     tails(lo) = a(i)
     length = max(length, lo)
  end do
  write (*, '(a,1x,i0)') 'longest:', length
  write (*, '(*(i0,1x))') tails(1:length)
end program increasing
