program matrix_power
  implicit none
  integer, parameter :: i8 = selected_int_kind(18)
  integer(i8), parameter :: modulus = 1000000007_i8
  integer(i8) :: base(2, 2), answer(2, 2), n, k
  integer :: t, c

  read (*, *) t
  do c = 1, t
     read (*, *) n
     base = reshape([1_i8, 1_i8, 1_i8, 0_i8], [2, 2])
     answer = reshape([1_i8, 0_i8, 0_i8, 1_i8], [2, 2])
     k = n
     do while (k > 0)
        if (iand(k, 1_i8) == 1) answer = times(answer, base)
        base = times(base, base)
        k = ishft(k, -1)
     end do
     write (*, '(a,i0,a,i0)') 'F(', n, ') = ', answer(1, 2)
  end do
contains
  pure function times(x, y) result(z)
    integer(i8), intent(in) :: x(2, 2), y(2, 2)
    integer(i8) :: z(2, 2)
    integer :: i, j
    do j = 1, 2
       do i = 1, 2
          z(i, j) = modulo(x(i, 1) * y(1, j) + modulo(x(i, 2) * y(2, j), modulus), modulus)
       end do
    end do
  end function times
end program matrix_power
