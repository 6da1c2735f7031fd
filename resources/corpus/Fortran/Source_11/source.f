program life
  implicit none
  integer :: rows, cols, steps, r, c, t
  logical, allocatable :: now(:, :), then_(:, :)
  character(len=120) :: line

  read (*, *) rows, cols, steps
  allocate (now(0:rows + 1, 0:cols + 1), then_(0:rows + 1, 0:cols + 1))
  now = .false.
  then_ = .false.
  do r = 1, rows
     read (*, '(a)') line
     do c = 1, cols
        now(r, c) = line(c:c) == 'o'
     end do
  end do
  do t = 1, steps
     do c = 1, cols
        do r = 1, rows
           select case (count(now(r - 1:r + 1, c - 1:c + 1)))
           case (3)
              then_(r, c) = .true.
           case (4)
              then_(r, c) = now(r, c)
           case default
              then_(r, c) = .false.
           end select
        end do
     end do
     now = then_
  end do
  do r = 1, rows
     do c = 1, cols
        line(c:c) = merge('o', '.', now(r, c))
     end do
     write (*, '(a)') line(1:cols)
  end do
  write (*, '(i0,a)') count(now), ' alive'
end program life
