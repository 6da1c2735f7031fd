! Numerical integration: Simpson's rule, halving the step until it settles.
program simpson
  implicit none
  integer, parameter :: wp = kind(0.0d0)
  real(wp) :: a, b, old, new
  integer :: pieces

  read (*, *) a, b
  pieces = 2
  old = rule(a, b, pieces)
  do
     pieces = pieces * 2
     new = rule(a, b, pieces)
     if (abs(new - old) < 1.0e-10_wp .or. pieces > 1000000) exit
     old = new
  end do
  write (*, '(f14.8,1x,i0)') new, pieces
contains
  pure real(wp) function f(x)
    real(wp), intent(in) :: x
    f = exp(-x * x) + sin(x) / (1.0_wp + x * x)
  end function f

  real(wp) function rule(lo, hi, n)
    real(wp), intent(in) :: lo, hi
    integer, intent(in) :: n
    real(wp) :: h
    integer :: i
    h = (hi - lo) / n
    rule = f(lo) + f(hi)
    do i = 1, n - 1
       if (mod(i, 2) == 1) then
          rule = rule + 4 * f(lo + i * h)
       else
          rule = rule + 2 * f(lo + i * h)
       end if
    end do
    rule = rule * h / 3
  end function rule
end program simpson
