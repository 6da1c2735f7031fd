program maze
  implicit none
  integer :: rows, cols, r, c, k, nr, nc, head, tail
  character(len=200), allocatable :: grid(:)
  integer, allocatable :: dist(:, :), queue(:, :)
  integer, parameter :: dr(4) = [1, -1, 0, 0], dc(4) = [0, 0, 1, -1]

  read (*, *) rows, cols
  allocate (grid(rows), dist(rows, cols), queue(2, rows * cols))
  do r = 1, rows
     read (*, '(a)') grid(r)
  end do
  dist = -1
  dist(1, 1) = 0
  queue(:, 1) = [1, 1]
  head = 1
  tail = 1
  do while (head <= tail)
     r = queue(1, head)
     c = queue(2, head)
     head = head + 1
     do k = 1, 4
        nr = r + dr(k)
        nc = c + dc(k)
        if (nr < 1 .or. nr > rows .or. nc < 1 .or. nc > cols) cycle
        if (grid(nr)(nc:nc) == '#' .or. dist(nr, nc) /= -1) cycle
        dist(nr, nc) = dist(r, c) + 1
        tail = tail + 1
        queue(:, tail) = [nr, nc]
     end do
  end do
  if (dist(rows, cols) < 0) then
     print '(a)', 'walled in'
  else
     print '(i0)', dist(rows, cols)
  end if
end program maze
