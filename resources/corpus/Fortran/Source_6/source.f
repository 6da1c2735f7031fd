program components
  implicit none
  integer :: n, m, i, a, b, parts
  integer, allocatable :: parent(:)

  read (*, *) n, m
  allocate (parent(n))
  parent = [(i, i=1, n)]
  parts = n
  do i = 1, m
     read (*, *) a, b
     a = root(a)
     b = root(b)
     if (a /= b) then
        parent(a) = b
        parts = parts - 1
     end if
  end do
  write (*, '(i0)') parts
contains
  recursive function root(x) result(r)
    integer, intent(in) :: x
    integer :: r
    if (parent(x) == x) then
       r = x
    else
       r = root(parent(x))
       parent(x) = r
    end if
  end function root
end program components
