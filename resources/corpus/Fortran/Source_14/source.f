program brackets
  implicit none
  character(len=500) :: line
  character(len=1) :: c
  character(len=1) :: stack(500)
  integer :: ios, i, depth, at
  character(len=*), parameter :: opening = '([{', closing = ')]}'

  do
     read (*, '(a)', iostat=ios) line
     if (ios /= 0) exit
     depth = 0
     at = 0
     do i = 1, len_trim(line)
        c = line(i:i)
        if (index(opening, c) > 0) then
           depth = depth + 1
           stack(depth) = c
        else if (index(closing, c) > 0) then
           if (depth == 0) then
              at = i
              exit
           end if
           if (index(opening, stack(depth)) /= index(closing, c)) then
              at = i
              exit
           end if
           depth = depth - 1
        end if
     end do
     if (at > 0) then
        write (*, '(a,i0)') 'wrong at ', at
     else if (depth > 0) then
        write (*, '(a)') 'not closed'
     else
        write (*, '(a)') 'good'
     end if
  end do
end program brackets
