module linear_system
  implicit none
  integer, parameter :: dp = kind(1.0d0)
contains
  subroutine solve(a, b, ok)
    real(dp), intent(inout) :: a(:, :), b(:)
    logical, intent(out) :: ok
    real(dp), allocatable :: row(:)
    real(dp) :: t, f
    integer :: n, i, k, p

    n = size(b)
    ok = .false.
    do k = 1, n
       p = k - 1 + maxloc(abs(a(k:n, k)), dim=1)
       if (abs(a(p, k)) < 1.0e-12_dp) return
       row = a(k, :)
       a(k, :) = a(p, :)
       a(p, :) = row
       t = b(k)
       b(k) = b(p)
       b(p) = t
       do i = k + 1, n
          f = a(i, k) / a(k, k)
          a(i, k:n) = a(i, k:n) - f * a(k, k:n)
          b(i) = b(i) - f * b(k)
       end do
    end do
    do k = n, 1, -1
       b(k) = (b(k) - dot_product(a(k, k + 1:n), b(k + 1:n))) / a(k, k)
    end do
    ok = .true.
  end subroutine solve
end module linear_system

program main
  use linear_system
  implicit none
  integer :: n, i
  real(dp), allocatable :: a(:, :), b(:)
  logical :: ok

  read (*, *) n
  allocate (a(n, n), b(n))
  do i = 1, n
     read (*, *) a(i, :), b(i)
  end do
  call solve(a, b, ok)
  if (ok) then
     do i = 1, n
        write (*, '(f10.4)') b(i)
     end do
  else
     write (*, '(a)') 'no single solution'
  end if
end program main
